#![no_main]

gpt_fuzz::target!(weights);
