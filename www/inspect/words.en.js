/** @type {Record<string, string>} */
export const inspectEn = {
  "inspect.label": "Inside the model",
  "inspect.tabs": "Ways to look inside",
  "inspect.tab.next": "Next",
  "inspect.tab.surprise": "Surprise",
  "inspect.tab.tree": "Tree",
  "inspect.tab.attention": "Attention",
  "inspect.tab.lens": "Layers",
  "inspect.tab.heads": "Heads",
  "inspect.tab.flow": "Flow",
  "inspect.tab.compare": "Compare",
  "inspect.save": "Save",
  "inspect.save.kind": "Save as {kind}",
  "inspect.join": " ",
  "inspect.reading": "Reading the text…",

  "inspect.card.label": "The selected token",
  "inspect.card.position": "token {position} of {count}",
  "inspect.card.id": "id {id}",
  "inspect.card.bytes": "bytes {bytes}",
  "inspect.card.details": "Details of the token",
  "inspect.divider": "Width of the inspector",
  "inspect.divider.hint": "Drag to change the width, or use ← →. Double-click to reset.",
  "inspect.card.back": "Previous token",
  "inspect.card.on": "Next token",
  "inspect.card.probability": "Probability",
  "inspect.card.rank": "Rank",
  "inspect.card.surprise": "Surprise",
  "inspect.card.entropy": "Entropy",
  "inspect.card.token": "Token",
  "inspect.card.first": "The first token: nothing stands before it, so nothing was expected.",
  "inspect.card.bos":
    "This token is not in your text: it is put in front of every text and stands for its beginning. " +
    "Nothing stands before it, so nothing was expected.",
  "inspect.card.window":
    "The text is longer than the model's context. These figures are from tokens {from} to {to} of {all}, which it sees together.",
  "inspect.card.written":
    "When this token was written, with another window of the text, it had {probability} and rank {rank}.",
  "inspect.card.probability.hint":
    "How likely the model found this token, given all tokens before it. Your sampling settings do not change it.",
  "inspect.card.rank.hint":
    "1 is the most likely of the vocabulary's {size} tokens. The repetition penalty can make the model " +
    "write another one, even at temperature 0.",
  "inspect.card.surprise.hint":
    "How little the model expected the token, in bits: 1 bit for a probability of 1/2, 2 for 1/4, 10 for about 1/1000.",
  "inspect.card.entropy.hint":
    "How uncertain the model was before it saw the token. 0 bits means certain; 11 bits means a blind guess among 2,048 tokens.",
  "inspect.card.token.hint":
    "The unit that the model reads and writes: a word, a piece of a word, a sign or a byte. ␣ is a space, ⏎ a line break.",
  "inspect.live": "{token}, probability {probability}",
  "inspect.tip.rank": "rank {rank}",
  "inspect.tip.entropy": "entropy {entropy}",

  "inspect.surprise": "Surprise",
  "inspect.surprise.hint": "Colours every token by how little the model expected it.",
  "inspect.surprise.part": "· {share} % of the text is coloured",
  "inspect.surprise.to": "{bits}+ bits",
  "inspect.keys": "Alt , and Alt . go token by token",
  "inspect.keys.mac": "⌥ , and ⌥ . go token by token",

  "inspect.off.head": "1 head",
  "inspect.off.heads": "{count} heads",
  "inspect.off.mlp": "1 MLP",
  "inspect.off.mlps": "{count} MLPs",
  "inspect.off.both": "{heads} and {mlps}",
  "inspect.off.one": "{off} is off. It stays off while the model writes.",
  "inspect.off.more": "{off} are off. They stay off while the model writes.",
  "inspect.off.restore": "Switch on again",

  "inspect.badBranches": "{name} is not a file of branches from this page, or it is damaged. Nothing was changed.",
  "inspect.link": "Copy link",
  "inspect.link.hint": "A link to this view: model, settings, token, layer and head. The text is not in it.",
  "inspect.link.text": "Copy link with text",
  "inspect.link.text.hint":
    "The same, with the text in the link itself. It is sent nowhere; whoever has the link can read it.",
  "inspect.link.copied": "Copied",
  "inspect.link.adapter":
    "The link names the base model: the adapter is a file and not part of it. Whoever opens the link " +
    "sees the base model until the adapter is dropped there too.",
  "inspect.link.model": "The link cannot name the model that is open here: whoever opens it sees another one.",
  "inspect.link.here": "The browser does not let the page copy. This is the link: {link}",

  "inspect.examples": "Three things to see",
  "inspect.example.question": "A head that remembers the question",
  "inspect.example.question.text":
    "Nearly every word after “Where” looks back at it. Without this head the question mark falls from 67 % to 7 %.",
  "inspect.example.speaking": "A head that knows when someone is speaking",
  "inspect.example.speaking.text":
    "Inside quotation marks words look at the mark that opened them; outside, at the one that closed them.",
  "inspect.example.people": "A head that keeps track of people",
  "inspect.example.people.text": "At the end it looks back at the queen, the daughter, the princess and “he”.",

  "inspect.notWhole": "This token is a piece of a character and cannot stand on the paper by itself.",
  "inspect.error.read": "The model can't read this text.",
  "inspect.error.panel": "This part could not be shown.",
};
