// COLUMN_THREADS = 1: a column belongs to one invocation. Apart from column, because a barrier slows a software adapter.

fn column_sum(value: f32, local: vec2u) -> f32 {
    return value;
}
