//! Every op: CPU twin against GPU kernels, over awkward shapes.
#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::cases::cases;
use common::runner::{Runner, compare};
use gpt_playground::exec::Executor;
use gpt_playground::gpu::{GpuContext, GpuExecutor};
use gpt_playground::graph::{Kernel, Target};
use gpt_playground::ops::SHADERS;
use pollster::block_on;
use std::collections::BTreeSet;

fn gpu(target: Target) -> Runner {
    let cx = block_on(GpuContext::open()).unwrap_or_else(|e| panic!("this test needs a GPU adapter: {e}"));
    Runner::new(Executor::Gpu(Box::new(GpuExecutor::new(cx.with_target(target)))))
}

fn cpu() -> Runner {
    Runner::new(Executor::Cpu(Box::default()))
}

fn agrees_on(target: Target) {
    let (mut cpu, mut gpu) = (cpu(), gpu(target));
    let mut failures = Vec::new();
    for case in cases() {
        let want = block_on(cpu.run(&case)).unwrap_or_else(|e| panic!("{}: {e}", case.label));
        let got = block_on(gpu.run(&case)).unwrap_or_else(|e| panic!("{}: {e}", case.label));
        if let Err(e) = compare(&case, &got, &want) {
            failures.push(format!("{}: {e}", case.label));
        }
    }
    assert!(failures.is_empty(), "{} cases differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn software_kernels_agree_with_the_cpu() {
    agrees_on(Target::Software);
}

#[test]
fn hardware_kernels_agree_with_the_cpu() {
    agrees_on(Target::Hardware);
}

/// All kernels that the table's rows use, with their bindings' lengths.
fn kernels() -> Vec<(Kernel, Vec<usize>)> {
    let mut cpu = cpu();
    let mut found = Vec::new();
    for case in cases() {
        let plan = cpu.compile(&case).unwrap_or_else(|e| panic!("{}: {e}", case.label));
        for target in [Target::Hardware, Target::Software] {
            for kernel in plan.kernels(&plan.steps[0], target) {
                let lens = kernel.bindings.iter().map(|b| plan.binding(&plan.steps[0], b.arg).bytes / 4).collect();
                found.push((kernel, lens));
            }
        }
    }
    found
}

#[test]
fn shader_folder_registry_and_table_agree() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the shaders folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "wgsl"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    let registry: BTreeSet<String> = SHADERS.iter().map(|(name, _)| (*name).to_string()).collect();
    let table: BTreeSet<String> = kernels().iter().map(|(k, _)| k.name.to_string()).collect();
    assert_eq!(files, registry, "shaders/ and ops::SHADERS list different kernels");
    assert_eq!(registry, table, "ops::SHADERS and the op test's table cover different kernels");
}

/// A workgroup takes no more than WebGPU promises on every device: invocations, and bytes that they share.
fn check_workgroup(name: &str, module: &naga::Module) {
    let invocations = module.entry_points[0].workgroup_size.iter().product::<u32>();
    assert!(invocations <= 256, "{name} has {invocations} invocations in a workgroup");
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).expect("a layout");
    let shared = module.global_variables.iter().filter(|(_, v)| v.space == naga::AddressSpace::WorkGroup);
    let bytes: u32 = shared.map(|(_, v)| layouter[v.ty].size.next_multiple_of(16)).sum();
    assert!(bytes <= 16 << 10, "{name} takes {bytes} bytes of workgroup memory");
}

#[test]
fn every_kernel_validates_and_uses_every_binding() {
    let mut seen = BTreeSet::new();
    for (kernel, lens) in kernels() {
        let text = kernel.wgsl(&lens);
        if !seen.insert(text.clone()) {
            continue;
        }
        let module = naga::front::wgsl::parse_str(&text)
            .unwrap_or_else(|e| panic!("{}:\n{}", kernel.name, e.emit_to_string(&text)));
        let flags = naga::valid::ValidationFlags::all();
        let info = naga::valid::Validator::new(flags, naga::valid::Capabilities::empty())
            .validate(&module)
            .unwrap_or_else(|e| panic!("{}: {e:?}", kernel.name));
        let entry = info.get_entry_point(0);
        check_workgroup(kernel.name, &module);
        for (handle, variable) in module.global_variables.iter() {
            if let Some(binding) = &variable.binding {
                assert!(!entry[handle].is_empty(), "{} declares {binding:?} and never uses it", kernel.name);
            }
        }
    }
}
