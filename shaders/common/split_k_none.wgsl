// SPLIT_K = 1: an output belongs to one invocation. Apart from split_k, because a barrier slows a software adapter even where it is never reached.
fn sum_split_k(x: u32, y: u32, value: vec4f) -> vec4f {
    return value;
}
