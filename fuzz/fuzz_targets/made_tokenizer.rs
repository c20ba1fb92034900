#![no_main]

gpt_fuzz::target!(made_tokenizer);
