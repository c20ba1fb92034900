/** @type {Record<string, string>} */
export const treeEn = {
  "tree.empty":
    "Every way that the text could have gone on stands here as a tree. Choose another token under " +
    "“Next”, or generate once more: the text takes that branch, and the one before stays here.",
  "tree.label": "Branches of the text",
  "tree.figures": "{tokens} tokens · {mean} bits/token",
  "tree.figures.one": "{tokens} token · {mean} bits/token",
  "tree.figures.none": "no tokens by the model",
  "tree.inside": "{count} branches inside",
  "tree.here": "shown",
  "tree.older": "Older texts",
  "tree.actions": "What to do with the branch",
  "tree.open": "Show this branch",
  "tree.rename": "Name…",
  "tree.name": "Name of the branch",
  "tree.remove": "Delete",
  "tree.removed": "“{name}” was deleted.",
  "tree.keys":
    "Arrow keys walk the tree, Enter shows a branch, F2 names it, Delete deletes it. The bar " +
    "is the mean surprise: how unlikely the model found each token that it wrote there, in bits per " +
    "token.",
  "tree.compare": "Compare two branches",
  "tree.compare.first": "First branch",
  "tree.compare.second": "Second branch",
  "tree.compare.common": "Both begin: {text}",
  "tree.compare.nothing": "(ends here)",
  "tree.compare.all": "Whole text: {figures}",
  "tree.load": "Load JSON…",
  "tree.loaded": "{count} new branches from {name}.",
  "tree.loaded.one": "{count} new branch from {name}.",
  "tree.largeFile":
    "{name} holds more than can be shown as a tree: at most {most} branches, with 50 million characters in all. Nothing was changed.",
};
