#![no_main]

gpt_fuzz::target!(adapter);
