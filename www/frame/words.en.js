/** What the list of models and "About" say. @type {Record<string, string>} */
export const frameEn = {
  "picker.included": "Included",
  "picker.mine": "Yours",
  "picker.web": "From the Hugging Face hub…",
  "picker.disk": "From your disk…",
  "picker.fits": "fits",
  "picker.lang.en": "English",
  "picker.lang.zh": "Chinese",
  "picker.and": ", ",

  "about.title": "About this page",
  "about.what":
    "A GPT is a program that continues text: it guesses the next token, again and again. Here a small one runs in your " +
    "browser. You can write with it, look at every step of its computation, and train it on your own text. It is a " +
    "real GPT-2, only about sixty times smaller than the smallest one that OpenAI published.",
  "about.model": "The model",
  "about.privacy": "Privacy",
  "about.privacy.text":
    "What you type stays in this browser. There is no server, no account, no cookie and no counter. The page loads its " +
    "own files, and a model from another site only when you ask for it.",
  "about.licence": "Licences",
  "about.licence.text":
    "The page is free software, under the MIT licence or the Apache licence 2.0, as you choose. The model that comes " +
    "with it is in the public domain (CC0).",
  "about.source": "Source code",
  "about.close": "Close",
};
