#![no_main]

gpt_fuzz::target!(training_state);
