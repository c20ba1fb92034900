#![no_main]

gpt_fuzz::target!(vocab_and_merges);
