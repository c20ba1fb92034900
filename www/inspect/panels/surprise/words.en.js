/** @type {Record<string, string>} */
export const surpriseEn = {
  "surprise.empty": "Which words of your text surprised the model most. Write two words on the paper to see it.",
  "surprise.mean": "Mean surprise",
  "surprise.mean.value": "{bits} bits per token",
  "surprise.perplexity": "Perplexity",
  "surprise.hint":
    "Perplexity {perplexity}: on average the model was as unsure as if it had to choose among {perplexity} equally likely tokens.",
  "surprise.title": "Most surprising words",
  "surprise.table": "All tokens",
  "surprise.table.hint": "Tokens near the selection. Downloads contain all {count}.",
  "surprise.table.hint.sorted": "The first {shown} in this order. Downloads contain all {count}.",
  "surprise.table.sort": "Sort by {column}",
  "surprise.table.number": "No.",
  "surprise.table.id": "Id",
  "surprise.picture": "Surprise, token by token",
  "surprise.legend": "surprise, from 0 to {bits} bits and more; framed: nothing was expected, or it is not known",
};
