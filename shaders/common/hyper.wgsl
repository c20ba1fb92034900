// `hyper: array<u32, 16>`: what changes from one training step to the next; floats as their bits.

const LR: u32 = 0u;
const BETA1: u32 = 1u;
const BETA2: u32 = 2u;
const ADAM_EPS: u32 = 3u;
const WEIGHT_DECAY: u32 = 4u;
const BIAS1: u32 = 5u;
const BIAS2: u32 = 6u;
const CLIP: u32 = 7u;
const LOSS_SCALE: u32 = 8u;
const STEP: u32 = 9u;
const SEED_LOW: u32 = 10u;
const SEED_HIGH: u32 = 11u;
const MICRO: u32 = 12u;

// The target of a row that takes no part in the loss.
const IGNORE: u32 = 0xffffffffu;

fn hyper_f32(at: u32) -> f32 {
    return bitcast<f32>(hyper[at]);
}

// Of metrics, behind the ring: not 0 once a step's loss or norm was not finite.
const HALTED: u32 = 256u;

// First float of this step's record in the ring of metrics: 64 records of four floats.
fn metrics_slot() -> u32 {
    return hyper[STEP] % 64u * 4u;
}
