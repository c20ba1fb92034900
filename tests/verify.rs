//! The plan verifier: plans made by hand that break one rule each, and what compilation makes of real models.
#![cfg(not(target_arch = "wasm32"))]

use gpt_playground::config::GptConfig;
use gpt_playground::graph::{
    Buf, CpuArgs, Elem, Kernel, Layout, Limits, Loc, Meta, Op, Plan, PlanTensor, Shapes, SlabSet, Step, Storage,
    Target, TensorId, verify,
};
use gpt_playground::message::Message;
use gpt_playground::model::params::param_specs;
use gpt_playground::model::{GptPlan, Model, Parts, build};
use std::sync::Arc;

/// An op of which only the description matters: what it updates and what its kernels bind.
#[derive(Debug, Clone)]
struct Fake {
    updates: &'static [(usize, usize)],
    kernel: Kernel,
}

impl Op for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn infer(&self, _inputs: &[&Meta]) -> Result<Vec<Meta>, Message> {
        Err(Message::uncoded("plans made by hand infer nothing"))
    }

    fn updates(&self) -> &[(usize, usize)] {
        self.updates
    }

    fn kernels(&self, _shapes: Shapes<'_>, _target: Target) -> Vec<Kernel> {
        vec![self.kernel.clone()]
    }

    fn cpu(&self, _args: &mut CpuArgs<'_>, _task: usize) {}
}

/// An op that binds its first inputs for reading, then its first outputs for writing.
fn op(inputs: usize, outputs: usize) -> Fake {
    let kernel = (0..inputs).fold(Kernel::new("kernel", ""), |k, i| k.read("i", Elem::F32, i));
    Fake { updates: &[], kernel: (0..outputs).fold(kernel, |k, o| k.write("o", Elem::F32, o)) }
}

/// An op that changes its last input in place: of `inputs` inputs, the last is output 0.
fn update(inputs: usize) -> Fake {
    let updates: &'static [(usize, usize)] = match inputs {
        1 => &[(0, 0)],
        2 => &[(0, 1)],
        _ => unreachable!("the tests update the first or second input"),
    };
    Fake { updates, ..op(inputs - 1, 1) }
}

/// A plan under construction, with four slots of 1024 bytes.
struct Draft(Plan);

impl Draft {
    fn new() -> Self {
        let (tensors, steps, captures) = (Vec::new(), Vec::new(), Vec::new());
        Self(Plan { name: "draft".into(), tensors, steps, slots: vec![1024; 4], captures })
    }

    /// A tensor of 256 floats, or as many as fill `bytes`, at a place.
    fn at(&mut self, name: &str, storage: Storage, buf: Buf, offset: usize, bytes: usize) -> TensorId {
        let loc = Some(Loc { buf, offset, bytes });
        self.0.tensors.push(PlanTensor { name: name.into(), meta: Meta::f32(&[bytes / 4]), storage, loc });
        TensorId(self.0.tensors.len() - 1)
    }

    fn temp(&mut self, name: &str, slot: usize) -> TensorId {
        self.at(name, Storage::Temp, Buf::Temp(slot), 0, 1024)
    }

    fn input(&mut self, name: &str) -> TensorId {
        let own = self.0.tensors.len();
        self.at(name, Storage::Input, Buf::Own(own), 0, 1024)
    }

    fn state(&mut self, name: &str, own: usize) -> TensorId {
        self.at(name, Storage::State, Buf::Own(own), 0, 1024)
    }

    fn step(&mut self, op: Fake, inputs: &[TensorId], outputs: &[TensorId]) {
        self.0.steps.push(Step { op: Arc::new(op), inputs: inputs.to_vec(), outputs: outputs.to_vec() });
    }

    fn passes(&self) {
        verify(&self.0, &Limits::default()).expect("a sound plan");
    }

    /// Asserts that the plan is refused, with these words in the message.
    fn fails(&self, words: &[&str]) {
        self.fails_within(&Limits::default(), words);
    }

    fn fails_within(&self, limits: &Limits, words: &[&str]) {
        let message = verify(&self.0, limits).expect_err("this plan breaks a rule").to_string();
        for word in ["draft"].iter().chain(words) {
            assert!(message.contains(word), "{message:?} does not mention {word:?}");
        }
    }
}

#[test]
fn a_sound_plan_passes() {
    let mut d = Draft::new();
    let x = d.input("x");
    let (cache, next) = (d.state("cache", 50), d.state("cache.next", 50));
    let (a, b, c) = (d.temp("a", 0), d.temp("b", 1), d.temp("c", 0));
    d.step(op(1, 1), &[x], &[a]);
    d.step(update(2), &[a, cache], &[next]);
    d.step(op(2, 1), &[a, next], &[b]);
    // `a` is no longer needed: its slot may be taken.
    d.step(op(1, 1), &[b], &[c]);
    d.0.captures = vec![b, c, next];
    d.passes();
}

#[test]
fn an_overwritten_temporary_may_not_be_read() {
    let mut d = Draft::new();
    let (x, a, b, c) = (d.input("x"), d.temp("early", 0), d.temp("late", 0), d.temp("c", 1));
    d.step(op(1, 1), &[x], &[a]);
    d.step(op(1, 1), &[x], &[b]);
    d.step(op(1, 1), &[a], &[c]);
    d.fails(&["step 2 (fake)", "reads early", "holds late"]);
}

#[test]
fn a_temporary_may_not_be_read_before_it_is_written() {
    let mut d = Draft::new();
    let (a, b) = (d.temp("early", 0), d.temp("b", 1));
    d.step(op(1, 1), &[a], &[b]);
    d.fails(&["reads early", "holds nothing"]);
}

#[test]
fn a_tensor_without_a_place_is_refused() {
    let mut d = Draft::new();
    let (x, a) = (d.input("nowhere"), d.temp("a", 0));
    d.step(op(1, 1), &[x], &[a]);
    d.0.tensors[x.0].loc = None;
    d.fails(&["nowhere has no place"]);
}

#[test]
fn an_output_may_not_overlap_an_input() {
    let mut d = Draft::new();
    let (x, a, b) = (d.input("x"), d.temp("before", 0), d.temp("after", 0));
    d.step(op(1, 1), &[x], &[a]);
    d.step(op(1, 1), &[a], &[b]);
    d.fails(&["step 1", "after overlaps before"]);
}

#[test]
fn two_outputs_may_not_overlap() {
    let mut d = Draft::new();
    let (x, a, b) = (d.input("x"), d.temp("left", 0), d.temp("right", 0));
    d.step(op(1, 2), &[x], &[a, b]);
    d.fails(&["left overlaps right"]);
}

/// WebGPU forbids it at whatever ranges: its usage scope is the buffer.
#[test]
fn one_buffer_may_not_be_read_and_written_by_a_kernel() {
    let mut d = Draft::new();
    let slab = Buf::Slab(SlabSet::Param, 0);
    let weight = d.at("weight", Storage::Param, slab, 0, 1024);
    let (old, new) = (d.at("bias", Storage::Param, slab, 1024, 64), d.at("bias.next", Storage::Param, slab, 1024, 64));
    d.step(update(2), &[weight, old], &[new]);
    d.fails(&["weight and bias.next", "share a buffer"]);
}

#[test]
fn a_kernel_may_not_write_one_range_twice() {
    let mut d = Draft::new();
    let (x, a) = (d.input("x"), d.temp("twice", 0));
    let kernel = op(1, 1).kernel.write("again", Elem::F32, 0);
    d.step(Fake { updates: &[], kernel }, &[x], &[a]);
    d.fails(&["twice and twice", "share a buffer"]);
}

#[test]
fn a_kernel_may_not_bind_the_old_version_of_what_it_updates() {
    let mut d = Draft::new();
    let (old, new) = (d.state("cache", 50), d.state("cache.next", 50));
    d.step(Fake { updates: &[(0, 0)], ..op(1, 1) }, &[old], &[new]);
    d.fails(&["binds cache, which it updates"]);
}

#[test]
fn an_update_stays_in_its_place() {
    let mut d = Draft::new();
    let (old, new) = (d.state("cache", 50), d.state("cache.next", 51));
    d.step(update(1), &[old], &[new]);
    d.fails(&["cache.next updates cache, but lives elsewhere"]);
}

#[test]
fn only_the_newest_version_of_an_updated_tensor_may_be_read() {
    let mut d = Draft::new();
    let (old, new) = (d.state("cache", 50), d.state("cache.next", 50));
    let a = d.temp("a", 0);
    d.step(update(1), &[old], &[new]);
    d.step(op(1, 1), &[old], &[a]);
    d.fails(&["step 1", "reads cache after cache.next replaced it"]);
}

#[test]
fn a_state_is_written_only_by_a_declared_update() {
    let mut d = Draft::new();
    let (x, state) = (d.input("x"), d.state("counter", 50));
    d.step(op(1, 1), &[x], &[state]);
    d.fails(&["writes counter without saying that it updates it"]);
}

#[test]
fn a_capture_may_not_be_overwritten() {
    let mut d = Draft::new();
    let (x, a, b) = (d.input("x"), d.temp("wanted", 0), d.temp("b", 0));
    d.step(op(1, 1), &[x], &[a]);
    d.step(op(1, 1), &[x], &[b]);
    d.0.captures = vec![a];
    d.fails(&["wanted is captured but overwritten"]);
    d.0.captures = vec![b];
    d.passes();
}

#[test]
fn bindings_are_counted() {
    for (inputs, fits) in [(7, true), (8, false)] {
        let mut d = Draft::new();
        let all: Vec<TensorId> = (0..inputs).map(|i| d.input(&format!("x{i}"))).collect();
        let a = d.temp("a", 0);
        d.step(op(inputs, 1), &all, &[a]);
        if fits { d.passes() } else { d.fails(&["kernel binds 9 buffers, more than 8"]) }
    }
}

#[test]
fn a_binding_is_aligned_whole_and_small_enough() {
    let with = |offset: usize, bytes: usize, elem: Elem| {
        let mut d = Draft::new();
        let x = d.at("weight", Storage::Param, Buf::Slab(SlabSet::Param, 0), offset, bytes);
        let a = d.temp("a", 0);
        let kernel = Kernel::new("kernel", "").read("x", elem, 0).write("a", Elem::F32, 0);
        d.step(Fake { updates: &[], kernel }, &[x], &[a]);
        d
    };
    with(256, 16, Elem::Vec4).passes();
    with(128, 16, Elem::F32).fails(&["weight starts at byte 128", "256"]);
    with(0, 0, Elem::F32).fails(&["weight is empty"]);
    with(0, 20, Elem::Vec4).fails(&["weight takes 20 bytes", "vec4f"]);
    with(0, 128 << 20, Elem::F32).passes();
    with(0, (128 << 20) + 4, Elem::F32).fails(&["weight takes 134217732 bytes", "134217728"]);
}

#[test]
fn grids_have_limits() {
    for (grid, fits) in [([65_535, 1, 1], true), ([1, 65_536, 1], false), ([1, 1, 0], false)] {
        let mut d = Draft::new();
        let (x, a) = (d.input("x"), d.temp("a", 0));
        d.step(Fake { updates: &[], kernel: op(1, 1).kernel.grid(grid) }, &[x], &[a]);
        if fits { d.passes() } else { d.fails(&["kernel has", "workgroups", "65535"]) }
    }
}

/// Heads wider than a workgroup has threads for are written without the fused kernel.
#[test]
fn wide_heads_fit_the_default_limits() {
    for (width, fused) in [(1024, true), (1028, false)] {
        let decode = &Model::dry_run(&GptConfig::new(100, 64, width, 1, 1)).expect("plans")[0];
        assert_eq!(decode.contains("attention_decode"), fused, "{width}: {decode}");
    }
}

/// Only embedding and head are computed in pieces.
#[test]
fn matrices_larger_than_a_binding_are_refused_by_name() {
    for (config, name) in [
        (GptConfig { n_inner: 64, ..GptConfig::new(100, 64, 3346, 2, 1) }, "c_attn"),
        (GptConfig::new(100, 64, 2900, 2, 1), "c_fc"),
        (GptConfig::new(100, 1 << 15, 1024, 2, 1), "cache"),
    ] {
        let message = config.validate().expect_err("too large").to_string();
        assert!(message.contains(name) && message.contains("Choose a narrower model"), "{message}");
    }
    let mut layout = Layout::new(2048);
    let config = GptConfig::new(100, 64, 16, 2, 1);
    param_specs(&config).iter().for_each(|s| layout.add_param(&s.name, &s.shape));
    let graph =
        build(Parts { config: &config, lora: None, layout: &layout, gated: false }, &GptPlan::Decode).expect("a graph");
    let message = Plan::compile("decode", graph, &mut layout, &Limits::default()).expect_err("refused").to_string();
    assert!(message.contains("takes 4096 bytes, more than the 2048") && message.contains("narrower"), "{message}");
}

#[test]
fn temporaries_fit_their_slots_and_the_total() {
    let mut d = Draft::new();
    let x = d.input("x");
    let a = d.at("wide", Storage::Temp, Buf::Temp(0), 0, 1028);
    d.step(op(1, 1), &[x], &[a]);
    d.fails(&["wide ends at byte 1028, past its slot of 1024"]);
    d.0.slots = vec![2 << 20];
    d.passes();
    let limits = Limits { temp_bytes: 1 << 20, ..Limits::default() };
    d.fails_within(&limits, &["needs 2 MiB for temporaries", "1 MiB"]);
}

/// Compiles a plan of a model with default limits.
fn compile(config: &GptConfig, kind: &GptPlan) -> Plan {
    let mut layout = Layout::default();
    param_specs(config).iter().for_each(|s| layout.add_param(&s.name, &s.shape));
    let graph = build(Parts { config, lora: None, layout: &layout, gated: false }, kind).expect("a graph");
    Plan::compile(&kind.name(), graph, &mut layout, &Limits::default()).expect("a plan")
}

fn gpt2(n_embd: usize, n_layer: usize, n_head: usize) -> GptConfig {
    GptConfig::new(50_257, 1024, n_embd, n_head, n_layer)
}

/// GPT-2's smallest and largest member within what every WebGPU device allows: `wte.weight` of 147 and 307 MiB is bound in
/// pieces of at most 128.
#[test]
fn gpt2_fits_the_default_limits() {
    for (name, config, pieces) in [("124M", gpt2(768, 12, 12), 2), ("1.5B", gpt2(1600, 48, 25), 3)] {
        let descriptions = Model::dry_run(&config).unwrap_or_else(|e| panic!("{name}: {e}"));
        let decode = &descriptions[0];
        println!("GPT-2 {name}\n{}", descriptions.join("\n"));
        for text in &descriptions {
            let lookups = text.lines().filter(|line| line.trim_start().starts_with("embedding ")).count();
            assert_eq!(lookups, pieces, "{name}: pieces of wte.weight");
        }
        let heads = decode.lines().filter(|line| line.contains("logits")).count();
        assert_eq!(heads, pieces, "{name}: pieces of the head\n{decode}");
        let weights: u64 = param_specs(&config).iter().map(|s| s.numel() as u64 * 4).sum();
        assert!(decode.contains("temporaries"), "{decode}");
        let plan = compile(&config, &GptPlan::Decode);
        let largest = plan.tensors.iter().filter_map(|t| t.loc).map(|l| l.bytes).max().expect("tensors");
        assert!(largest <= 128 << 20, "{name}: a binding of {largest} bytes");
        assert!(weights > plan.temp_bytes() * 100, "{name}: decoding takes {} bytes", plan.temp_bytes());
    }
}

/// Dispatches that one more layer costs.
fn per_layer(kind: &GptPlan) -> usize {
    let [two, three] = [2, 3].map(|layers| compile(&gpt2(768, layers, 12), kind).dispatches());
    three - two
}

#[test]
fn a_layer_takes_few_dispatches() {
    assert_eq!(per_layer(&GptPlan::Decode), 7);
    let prefill = per_layer(&GptPlan::Prefill { rows: 128 });
    assert!(prefill <= 8, "a prefill layer takes {prefill} dispatches");
}

#[test]
fn fusion_leaves_captured_tensors_alone() {
    let config = gpt2(64, 2, 2);
    let inner = ["h.0.mlp.fc", "h.0.mlp.act", "h.1.attn.proj", "h.1.mlp.proj"].map(String::from);
    let probe = |captures: &[String]| compile(&config, &GptPlan::Probe { rows: 8, captures: captures.to_vec() });
    let (all, bare) = (probe(&inner), probe(&[]));
    for name in &inner {
        assert!(all.find(name).is_ok(), "{name} was fused away though it is captured");
        // Or the first half of this test would hold without any fusion.
        let alone = probe(std::slice::from_ref(name));
        assert!(alone.steps.len() > bare.steps.len() || bare.find(name).is_ok(), "{name} costs nothing to capture");
    }
    for name in ["h.0.mlp.fc", "h.1.attn.proj", "h.1.mlp.proj"] {
        assert!(bare.find(name).is_err(), "{name} is not fused though nothing else reads it");
    }
}
