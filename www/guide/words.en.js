/** @type {Record<string, string>} */
export const guideEn = {
  "guide.label": "Guide",
  "guide.chapter": "Chapter",
  "guide.name.tokens": "1 Tokens",
  "guide.name.guessing": "2 Guessing the next token",
  "guide.name.attention": "3 Attention",
  "guide.name.layers": "4 Layers",
  "guide.name.learning": "5 Learning",
  "guide.at": "{step} / {steps}",
  "guide.at.said": "Step {step} of {steps}",
  "guide.back": "Back",
  "guide.next": "Next",
  "guide.finish": "Finish",
  "guide.close": "Close the guide",
  "guide.show": "Show it",
  "guide.show.hint": "Opens the part of the page that this step points at, and puts the keyboard there.",
  "guide.keys": "← → steps, Esc closes",
  "guide.formula": "With this model's numbers",
  "guide.question": "Question",
  "guide.right": "Right.",
  "guide.wrong": "Not this one.",
  "guide.reading": "The model is reading your text…",
  "guide.failed": "These numbers could not be computed: {reason}",
  "guide.noModel": "No model is open. Choose one on the Models tab; the guide goes on with it.",
  "guide.noText": "This step is about your text, and the paper is empty. Write a few words, or take an example.",
  "guide.noText.take": "Take an example",
  "guide.noPlan": "This step is about a text to learn from. Paste one, choose a sample, or take the text on the paper.",
  "guide.noPlan.take": "Take the paper's text",
  "guide.code": "The lines that compute it",
  "guide.code.loading": "Loading the lines…",
  "guide.code.failed": "The lines could not be loaded. Fold them in and out to try again.",
  "guide.code.open": "Open {file} at line {line}",
  "guide.viewer.close": "Close the file",
  "guide.yes": "Yes",
  "guide.no": "No",
  "guide.way.more": "More likely",
  "guide.way.less": "Less likely",
  "guide.way.same": "As likely as before",
  "guide.attention": "Attention",
  "guide.mlp": "The MLP",
  "guide.level": "Layer {layer}",
  "guide.level.embedding": "The embedding",

  "guide.tokens.pieces.title": "A text becomes tokens",
  "guide.tokens.pieces.text":
    "The model does not read letters. It reads tokens: pieces of text from a fixed list of {vocab}. " +
    "Each coloured piece on the paper is one.",
  "guide.tokens.pieces.ask": "How many tokens is your text? Count the pieces.",
  "guide.tokens.pieces.why":
    "It has {characters} characters, {words} words and {own} tokens: {ratio} characters per token.",
  "guide.tokens.number.title": "A token is a number",
  "guide.tokens.number.text":
    "The model only gets a token's number. “{token}” is number {id} of {vocab}. Press ‹ and › to go through your tokens.",
  "guide.tokens.number.ask": "How many bytes is “{token}”? Fold out its details.",
  "guide.tokens.number.why": "{bytes}: {hex}. A pair of digits is one byte; a space is 20.",
  "guide.tokens.vector.title": "The number becomes a vector",
  "guide.tokens.vector.text":
    "The number picks one row of a table with {vocab} rows. To the model, these learnt numbers are “{token}”.",
  "guide.tokens.vector.ask": "How many numbers stand for one token?",
  "guide.tokens.vector.why":
    "T × {width}: {width} numbers for each token. The whole table has {vocab} × {width} = {all}.",
  "guide.tokens.position.title": "Its place is added",
  "guide.tokens.position.text":
    "Without a place, the model could not tell word order. So a second vector is added: the one for place {position}.",
  "guide.tokens.position.ask": "Is the sum longer than the token's vector alone? Open both boxes and compare ‖x‖.",
  "guide.tokens.position.why": "‖x‖ was {before} for “{token}” alone and is {after} with its place.",
  "guide.tokens.window.title": "The model sees a window",
  "guide.tokens.window.text":
    "This model knows {context} places, so it sees at most {context} tokens at once. Earlier text is out of its sight.",
  "guide.tokens.window.ask": "How many more tokens fit into the window?",
  "guide.tokens.window.why": "{context} − {used} = {left}. When the window is full, the model keeps its later half.",

  "guide.guessing.odds.title": "A probability for every token",
  "guide.guessing.odds.text":
    "What comes after “{before}”? The model gives each of its {vocab} tokens a score z. Softmax turns the scores into probabilities.",
  "guide.guessing.odds.ask": "Which token is its first guess?",
  "guide.guessing.odds.why": "“{top}” has {p}. The second guess, “{second}”, has {p2}.",
  "guide.guessing.odds.checked": "Try “{after}”: this model then gives “{token}” at least {least}.",
  "guide.guessing.surprise.title": "Surprise, in bits",
  "guide.guessing.surprise.text":
    "The less likely a token was, the more it surprised the model. One bit more means half the probability. Here: “{token}”.",
  "guide.guessing.surprise.ask": "Which token of your text surprised it most? Look for the strongest colour.",
  "guide.guessing.surprise.ask.one": "How much did “{token}” surprise it?",
  "guide.guessing.surprise.why": "“{most}” had a probability of {p}: {bits}.",
  "guide.guessing.surprise.why.one": "“{most}” had a probability of {p}: {bits}.",
  "guide.guessing.temperature.title": "Temperature",
  "guide.guessing.temperature.text":
    "Before one token is drawn, the scores are divided by the temperature T. Below 1 likely tokens gain; above 1 unlikely ones do.",
  "guide.guessing.temperature.ask": "Halve the temperature, {temperature}. How likely is “{top}” then?",
  "guide.guessing.temperature.why": "With T = {temperature} it has {now}, with T = {half} it has {halved}.",
  "guide.guessing.cut.title": "The tail is cut off",
  "guide.guessing.cut.text":
    "Top-k, top-p and min-p remove unlikely tokens, which would derail the text. Here the rest had {mass} of the probability.",
  "guide.guessing.cut.ask": "How many tokens can be drawn with your settings?",
  "guide.guessing.cut.why": "{kept} of {vocab}. Their {mass} are brought to 100 %.",
  "guide.guessing.draw.title": "One is drawn, and again",
  "guide.guessing.draw.text":
    "One token is drawn with random numbers g and put at the end. Then all of it runs again. Press Generate to watch.",
  "guide.guessing.draw.ask": "How often would “{top}” be drawn here? See the “drawn” column.",
  "guide.guessing.draw.why": "The model gives it {raw}; your settings make it {drawn}.",

  "guide.attention.heads.title": "Heads look back",
  "guide.attention.heads.text":
    "Attention moves information between tokens. Each layer does it in {heads} heads at once, each on {width} numbers.",
  "guide.attention.heads.ask": "How many heads has the model? Count the squares.",
  "guide.attention.heads.why": "{layers} layers × {heads} heads = {all}. The column apart is the mean of a layer.",
  "guide.attention.scores.title": "Query meets key",
  "guide.attention.scores.text":
    "Layer {layer}, head {head}: the query q of “{token}” meets the key k of each token so far. Softmax turns the products into shares.",
  "guide.attention.scores.ask": "Which token does “{token}” look at most?",
  "guide.attention.scores.why": "{top} gets {p}.",
  "guide.attention.past.title": "Only the past",
  "guide.attention.past.text":
    "The map is a triangle. A token cannot look at later ones: in training, the model would read the answer there.",
  "guide.attention.past.ask": "At how many tokens can “{token}” look, itself included?",
  "guide.attention.past.why":
    "At {seen}: {before} before it and itself. The {later} after it are hidden; the text has {count}.",
  "guide.attention.previous.title": "A head for the token before",
  "guide.attention.previous.text":
    "Some heads look at the token just before. In your text, layer {layer}, head {head} gives it {mean} on average.",
  "guide.attention.previous.ask": "How much does {token} give to {key}?",
  "guide.attention.previous.why": "{value}. Point at the map, or read the list below it.",
  "guide.attention.previous.checked":
    "Of this model's {all} heads this is a clear example: at least {least} on a longer text. It does other things too.",
  "guide.attention.previous.found":
    "Found in your text just now: of {all} heads this one does it most. With another text it may be another.",
  "guide.attention.first.title": "Nothing to find",
  "guide.attention.first.text":
    "Shares must add up to 100 %, even where a head finds nothing. Then it often looks at the first token: layer {layer}, " +
    "head {head} gives it {mean} on average.",
  "guide.attention.first.ask": "How much does {token} give to {key}?",
  "guide.attention.first.why": "{value}. Leave the first token out to see what else is there.",
  "guide.attention.first.checked":
    "Of this model's {all} heads this is the clearest: at least {least} on a longer text.",
  "guide.attention.first.found":
    "Found in your text just now: of {all} heads this one does it most. With another text it may be another.",

  "guide.layers.stream.title": "Layers add",
  "guide.layers.stream.text":
    "A layer does not replace the vector x of “{token}”. It adds to it, first what attention found, then what the MLP made. " +
    "So later layers still find what was there.",
  "guide.layers.stream.ask": "In layer {layer}, which adds the longer vector? Open the two sums and compare.",
  "guide.layers.stream.why": "Attention adds {a}, the MLP {m}.",
  "guide.layers.norm.title": "LayerNorm",
  "guide.layers.norm.text":
    "The sums grow from layer to layer. So each part first brings its input to mean 0 and deviation σ = 1; here the mean is {mean}.",
  "guide.layers.norm.ask": "What is the deviation σ before it? Open the box.",
  "guide.layers.norm.why": "Deviation before: {deviation}. The norm before layer {layer}'s MLP divides by it.",
  "guide.layers.mlp.title": "The MLP",
  "guide.layers.mlp.text":
    "The MLP looks at one token at a time. It widens {width} numbers to {inner} units, damps those below 0, and goes back to {width}.",
  "guide.layers.mlp.ask": "How many of the {inner} units are above 0 for “{token}”? Open the box.",
  "guide.layers.mlp.why": "{active}, which is {share}. Layer {layer} uses other units for other tokens.",
  "guide.layers.lens.title": "What would it say now?",
  "guide.layers.lens.text":
    "The logit lens stops after a layer and sends the vector of “{token}” straight to the output. The model has {layers} layers.",
  "guide.layers.lens.ask": "From where on is “{answer}” its first guess, to the end?",
  "guide.layers.lens.why": "{level}: there its rank becomes 1 and stays so.",
  "guide.layers.rise.title": "Where the guess is made",
  "guide.layers.rise.text":
    "Each layer adds a Δx, which moves the probability p of “{answer}” up or down. Follow the curve from left to right.",
  "guide.layers.rise.ask": "Which layer raises it most?",
  "guide.layers.rise.why": "{level}: from {from} to {to}.",

  "guide.learning.loss.title": "How wrong is it?",
  "guide.learning.loss.text":
    "To learn, the model needs one number: its mean surprise over all {count} tokens, the loss. A perfect guess has loss 0.",
  "guide.learning.loss.ask": "Among how many equally likely tokens does it seem to choose?",
  "guide.learning.loss.why": "Perplexity: e^{loss} = 2^{bits} = {perplexity}. Blind guessing would have {vocab}.",
  "guide.learning.gradient.title": "Which way to go",
  "guide.learning.gradient.text":
    "“{token}” really came, and had {p}. Its score should rise; the score of every other token should fall by its p.",
  "guide.learning.gradient.ask": "How much probability does “{token}” lack to be certain?",
  "guide.learning.gradient.why": "100 % − {p} = {missing}. The more is missing, the stronger the push.",
  "guide.learning.batch.title": "A batch",
  "guide.learning.batch.text":
    "A training step reads B pieces of T tokens each, from random places of the text. " +
    "Here B = {batch}, T = {context}, and the text has {tokens} tokens.",
  "guide.learning.batch.ask": "How many tokens does one step learn from?",
  "guide.learning.batch.why": "{batch} × {context} gives {all} in each step, counting repeated passes.",
  "guide.learning.step.title": "A small step",
  "guide.learning.step.text":
    "Every weight w moves a little against its gradient, at most about {rate} at a time. " +
    "AdamW keeps two running means m and v for each weight.",
  "guide.learning.step.ask": "How many steps will this run make?",
  "guide.learning.step.why": "{steps}. You can change it under Settings, beside the learning rate of {rate}.",
  "guide.learning.held.title": "Learning or memorising?",
  "guide.learning.held.text":
    "The end of the text is held back and never learnt. When the loss there rises while the other falls, the model only memorises.",
  "guide.learning.held.ask": "How many of the {tokens} tokens are held back?",
  "guide.learning.held.why": "{held}, which is {share}. Of a short text none are: too few would say nothing.",
  "guide.learning.run.title": "Watch it learn",
  "guide.learning.run.text":
    "Press Train and watch the loss. Each point is one step over other pieces of the text, so the curve jitters as it falls.",
  "guide.learning.run.text.trained":
    "Each point of the curve is one step over other pieces of the text, so it jitters as it falls.",
  "guide.learning.run.ask": "What is the loss of a model that gives each of {vocab} tokens the same probability?",
  "guide.learning.run.ask.trained": "Is the loss lower now than at the first step?",
  "guide.learning.run.why":
    "ln {vocab} = {nothing}. An untrained model begins about there; yours begins lower if it can read the text.",
  "guide.learning.run.why.trained": "It was {first} at first and is {last} now.",
};
