/** @type {Record<string, string>} */
export const attentionEn = {
  "attention.empty": "Where each head looks, for every token of your text. Write or paste a text to see it.",
  "attention.about":
    "A head gathers information from earlier tokens and its own. Its attention says how much it takes from each. " +
    "For each token, these shares add up to 100 %.",
  "attention.about.mean": "The mean over all heads of layer {layer}.",
  "attention.about.rollout":
    "Attention rollout (Abnar and Zuidema 2020) estimates how much of each token has reached the output " +
    "of layer {layer}: it multiplies the layers' mean attention, half of it being what each token keeps " +
    "of itself.",
  "attention.caution":
    "Attention shows where information is taken from. By itself it does not explain why the model " +
    "answers as it does: switch a head off under “Heads” to see what it does.",
  "attention.grid": "All heads: a row for each layer, a column for each head",
  "attention.grid.hint": "Each row is a layer, each square a head: choose one.",
  "attention.waiting": "Looking at all heads …",
  "attention.progress": "Looking at all heads: {done} of {total} layers …",
  "attention.unit": "Layer {layer}, head {head}",
  "attention.unit.mean": "Layer {layer}, mean of its heads",
  "attention.unit.rollout": "Rollout to the output of layer {layer}",
  "attention.mean.short": "mean",
  "attention.mode": "Show attention as",
  "attention.mode.map": "Map",
  "attention.mode.lines": "Lines",
  "attention.mode.rollout": "Rollout",
  "attention.scale": "Scale",
  "attention.scale.sqrt": "square root",
  "attention.scale.linear": "linear",
  "attention.legend.sqrt": "Colours from 0 % (dark violet) to 100 % (yellow), by the square root of the attention",
  "attention.legend.linear": "Colours from 0 % (dark violet) to 100 % (yellow), evenly",
  "attention.ignore": "Leave out the first token",
  "attention.ignored":
    "Shown without the first token, to which this token gives {share}; the rest of each row is brought " +
    "to 100 %. Thumbnails lose their first column. Heads often look at the first token when there is " +
    "nothing to find.",
  "attention.query": "looks",
  "attention.key": "looked at",
  "attention.map": "Attention of {title}: a row for each token that looks, a column for each token looked at",
  "attention.cell": "{query} → {key}: {share}",
  "attention.later": "{query} cannot look at {key}: it comes later.",
  "attention.leftOut": "{query} → {key}: left out ({share})",
  "attention.zoom": "Zoom",
  "attention.zoom.in": "Zoom in",
  "attention.zoom.out": "Zoom out",
  "attention.zoom.fit": "Whole map",
  "attention.text": "Tokens of the text: the arrow keys choose which one's attention is shown",
  "attention.self": "{token} → itself: {share}",
  "attention.before": "… {count} tokens before",
  "attention.after": "… {count} tokens after",
  "attention.looksAt": "{token} looks at",
  "attention.lookedAtBy": "{token} is looked at by",
  "attention.nothing": "Nothing.",
  "attention.nobody": "No later token.",
  "attention.table": "Table: the twenty strongest for {token}",
  "attention.table.caption": "{title}: the twenty strongest for token {position}, {token}",
  "attention.table.rank": "Rank",
  "attention.table.looksAt": "Looks at",
  "attention.table.lookedAtBy": "Is looked at by",
  "attention.table.share": "Attention",
  "attention.whole": "Save the whole matrix (CSV)",
  "attention.error": "This could not be computed: {message}",
};
