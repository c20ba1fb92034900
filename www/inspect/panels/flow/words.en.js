/** @type {Record<string, string>} */
export const flowEn = {
  "flow.empty":
    "The way of one token through this very model, box by box, with the real numbers. Write something, or choose a token.",
  "flow.intro":
    "Follow one token from its id to the next token's probabilities. Every box is a step this model " +
    "really computes; open one to see its numbers.",
  "flow.label": "Steps of the forward pass",
  "flow.step": "Step",
  "flow.step.next": "Next step",
  "flow.step.back": "Step back",
  "flow.step.of": "{at} of {all}",
  "flow.step.keys": "Arrow keys step, Page Up and Page Down go block by block, Enter opens and closes.",
  "flow.of.token": "Token {number}: {token}",
  "flow.tokens.one": "T = 1 token up to here · {params} parameters",
  "flow.tokens": "T = {count} tokens up to here · {params} parameters",
  "flow.loading": "Running the model on the text up to this token…",
  "flow.error": "These values could not be had: {reason}",
  "flow.legend.less": "below 0",
  "flow.legend.more": "above 0",
  "flow.legend.note": "Each strip is one vector, a cell for each of its numbers, on a scale of its own.",

  "flow.name.input": "Token and position",
  "flow.name.block": "Block {layer}",
  "flow.name.sampling": "Softmax and sampling",
  "flow.name.token": "Token embedding",
  "flow.name.embedding": "Add the position",
  "flow.name.norm": "LayerNorm",
  "flow.name.finalNorm": "Final LayerNorm",
  "flow.name.qkv": "Query, key, value",
  "flow.name.attention": "Attention",
  "flow.name.attentionOut": "Mix the heads",
  "flow.name.up": "MLP: widen",
  "flow.name.activation": "MLP: activate",
  "flow.name.down": "MLP: narrow",
  "flow.name.add.attention": "Add attention",
  "flow.name.add.mlp": "Add the MLP",
  "flow.name.add.branch": "Add",
  "flow.name.gate": "Switched off in part",
  "flow.name.loraA": "Adapter, down (A)",
  "flow.name.loraB": "Adapter, up (B)",
  "flow.name.lora": "Base plus adapter",
  "flow.name.logits": "Output layer: logits",
  "flow.name.other": "Step",
  "flow.lane.attention": "Attention: takes from earlier tokens",
  "flow.lane.mlp": "MLP: works on this token alone",
  "flow.lane.branch": "Branch",
  "flow.params": "{count} parameters",
  "flow.params.shared": "shares {name}",
  "flow.block.closed": "attention and MLP · {count} parameters",
  "flow.input.facts": "id {id} · position {position}",
  "flow.norm.short": "norm {norm}",

  "flow.explain.input":
    "The text was cut into tokens. This one, {token}, has the id {id} and stands at position {position}, " +
    "counted from 1. These two numbers are all that the model is given of it.",
  "flow.explain.token":
    "The id picks a row of the token table: {width} learnt numbers that stand for {token} wherever it occurs.",
  "flow.explain.embedding":
    "The row of position {position} in a second table is added: without it the model could not tell word " +
    "order. The sum begins the residual stream, the vector that all blocks read and add to.",
  "flow.explain.block":
    "Block {layer} of {blocks}, counted from 0: attention, then an MLP, each adding its result to the " +
    "stream. All blocks are built alike; each has weights of its own.",
  "flow.explain.norm":
    "LayerNorm: (x − mean) / √(variance + ε) over the {width} numbers, then each times its own weight " +
    "plus its bias. It keeps the numbers in a range that the next matrix can work with.",
  "flow.explain.finalNorm":
    "The last LayerNorm, (x − mean) / √(variance + ε) times weight plus bias, brings the finished stream into the head's range.",
  "flow.explain.qkv":
    "One matrix makes three vectors of {width} numbers: a query (what do I look for?), a key (what do I " +
    "offer?) and a value (what do I hand over?), each cut into {heads} heads of {headWidth}.",
  "flow.explain.attention":
    "In each head the query meets the keys of the {seen} tokens so far: softmax(q·k / √{headWidth}) " +
    "gives shares that sum to 1, and the tokens' values are added up in these shares. Later tokens are " +
    "out of reach.",
  "flow.explain.attentionOut":
    "The outputs of the {heads} heads, side by side, times a matrix: what the heads found is mixed into " +
    "{width} numbers that can be added to the stream.",
  "flow.explain.up":
    "A matrix turns {inputs} numbers into {outputs}. Each of them is a unit that answers strongly to one pattern in the stream.",
  "flow.explain.activation.gelu":
    "GELU, x·Φ(x), unit by unit: what is well above 0 passes, what is well below 0 becomes nearly 0. " +
    "Without this bend the MLP would be a single matrix.",
  "flow.explain.activation.relu":
    "ReLU, max(0, x), unit by unit: what is above 0 passes, the rest becomes 0. Without this bend the MLP would be a single matrix.",
  "flow.explain.activation.unknown":
    "The activation function bends each unit's number by itself. Without this bend the MLP would be a single matrix.",
  "flow.explain.down":
    "A second matrix takes the {inputs} units back to {outputs} numbers: each active unit writes its own direction into the stream.",
  "flow.explain.add.attention":
    "What attention found is added to the residual stream: x + attention. Nothing in the stream is " +
    "replaced, so later blocks can still read what was there.",
  "flow.explain.add.mlp":
    "What the MLP made is added to the residual stream: x + MLP. Nothing in the stream is replaced.",
  "flow.explain.add.branch": "The branch's result is added to the residual stream.",
  "flow.explain.gate": "Something is switched off here: its numbers are multiplied by 0, and nothing of it goes on.",
  "flow.explain.loraA":
    "The adapter's first matrix squeezes {inputs} numbers into {outputs}: the rank, the narrow waist that makes LoRA small.",
  "flow.explain.loraB":
    "The adapter's second matrix widens {inputs} numbers to {outputs}: what fine-tuning adds to the layer.",
  "flow.explain.lora": "base + strength × (α / r) × B(A(x)): the frozen layer's result plus what the adapter learnt.",
  "flow.explain.logits":
    "The vector is multiplied with each of the {vocabulary} rows of the head's matrix: one number per " +
    "token of the vocabulary, its logit. The higher, the likelier that token comes next.",
  "flow.explain.sampling":
    "The repetition penalty lowers the logits of tokens that are in the text already; softmax(logits / " +
    "{temperature}) makes probabilities of them; top-k, top-p and min-p cut off the tail; one of what is " +
    "left is drawn and appended, and the loop repeats.",
  "flow.explain.other": "A step of this model that has no name here.",

  "flow.values": "All {count} values",
  "flow.scale": "Full colour at ±{scale}.",
  "flow.scale.beyond": "{count} beyond.",
  "flow.min": "Least",
  "flow.max": "Greatest",
  "flow.mean": "Mean",
  "flow.norm": "Length ‖x‖",
  "flow.table": "The {count} strongest values",
  "flow.place": "Place",
  "flow.value": "Value",
  "flow.token": "Token",
  "flow.id": "Id",
  "flow.bytes": "Bytes",
  "flow.position": "Position",
  "flow.position.of": "{position}, context {context}",
  "flow.bos": "This token was put before the text: the model has learnt that a document begins here.",
  "flow.before": "Before",
  "flow.after": "After",
  "flow.norm.meanBefore": "Mean before",
  "flow.norm.deviationBefore": "Deviation before",
  "flow.norm.meanAfter": "Mean after",
  "flow.norm.deviationAfter": "Deviation after",
  "flow.head": "Head {head}",
  "flow.qkv.heads": "By head",
  "flow.qkv.scale": "Full colour at ±{q} for queries, ±{k} for keys, ±{v} for values.",
  "flow.query": "Query q",
  "flow.key": "Key k",
  "flow.keyValue": "Value v",
  "flow.attention.heads": "Each head over the {count} tokens so far, the first at the left",
  "flow.attention.note":
    "Scores: from the head's lowest, dark, to its highest, yellow. Softmax: from 0 to its greatest share. Choose a head to see its tokens.",
  "flow.attention.picked": "Where head {head} looks",
  "flow.attention.table": "Head {head}: the {count} strongest tokens",
  "flow.attention.out": "What the heads hand over: values added up in these shares",
  "flow.out": "Output",
  "flow.strongest": "Strongest",
  "flow.scores": "q·k / √D",
  "flow.softmax": "Softmax",
  "flow.score": "Score",
  "flow.self": "(itself)",
  "flow.back": "({count} back)",
  "flow.active": "Active units",
  "flow.active.of": "{count} of {all} above 0 ({share})",
  "flow.units": "The strongest units",
  "flow.unit": "Unit {unit}",
  "flow.add.norms": "Lengths ‖x‖",
  "flow.add.before": "Stream before",
  "flow.add.branch": "Added",
  "flow.add.after": "Stream after",
  "flow.add.cosine":
    "Cosine between stream and what is added: {cosine}. 1 strengthens what is there, 0 is new, −1 takes away.",
  "flow.block.out": "The stream after this block",
  "flow.tokenNumber": "Token {id}",
  "flow.logits.best": "The ten highest logits, with their probabilities",
  "flow.logits.note": "Bars: probability at temperature 1.",
  "flow.logits.picture": "All {count} logits, by token id",
  "flow.logits.table": "The {count} highest logits",
  "flow.logit": "Logit",
  "flow.probability": "Probability",
  "flow.sampling.bars": "What can be drawn",
  "flow.sampling.note":
    "Bar: with these settings. Mark: the model's own probability. {kept} tokens can be drawn; together they had {mass}.",
  "flow.sampling.cut": "cut off",
  "flow.sampling.more": "Open “Next” to move the sliders",
};
