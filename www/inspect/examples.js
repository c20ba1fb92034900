/** Things to see in the model that comes with the page, found by looking at all its heads. */

/** @typedef {import("./types.js").InspectView} InspectView */

/** The model that they are true of. */
export const EXAMPLES_MODEL = "storyteller";

const QUESTION =
  'The wolf met the little girl in the wood. "Good morning," said the wolf. "Where are you going so early';

/**
 * `key` names the strings of an example; `view` is what it opens.
 * @type {readonly { key: string, text: string, view: Partial<InspectView> }[]}
 */
export const EXAMPLES = [
  // Every word after "Where" looks back at it; with this head off, the question mark's probability falls from 67 % to 7
  // %.
  { key: "question", text: QUESTION, view: { panel: "attention", mode: "lines", layer: 3, head: 4, token: 27 } },
  // Inside a quotation words look at the mark that opened it, outside at the one that closed it: stripes in the map.
  {
    key: "speaking",
    text: `${QUESTION}?" "I am going to my grandmother," said the girl, and she ran away.`,
    view: { panel: "attention", mode: "map", layer: 4, head: 4, token: 36 },
  },
  // "at" gives three quarters of its attention to the queen, the daughter, the princess and "he".
  {
    key: "people",
    text: "Once upon a time there was a queen who had a daughter, and the princess loved a poor tailor. Every day he sat at",
    view: { panel: "attention", mode: "lines", layer: 1, head: 4, token: 27 },
  },
];
