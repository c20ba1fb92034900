#![no_main]

gpt_fuzz::target!(shard_index);
