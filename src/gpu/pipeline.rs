//! Compute pipelines, one per distinct shader text.

use super::GpuContext;
use crate::graph::{Access, Kernel};
use std::collections::HashMap;

/// Pipelines made so far. Layers of equal shape share theirs.
#[derive(Default)]
pub(crate) struct Pipelines {
    made: HashMap<String, (wgpu::ComputePipeline, wgpu::BindGroupLayout)>,
    /// The texts of those that the device has not been asked about.
    unchecked: Vec<String>,
}

impl Pipelines {
    /// The pipeline of a kernel whose bindings have these lengths (in four-byte elements).
    pub(crate) fn get(
        &mut self,
        cx: &GpuContext,
        kernel: &Kernel,
        lens: &[usize],
    ) -> (wgpu::ComputePipeline, wgpu::BindGroupLayout) {
        let text = kernel.wgsl(lens);
        let make = || {
            let module = cx.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(kernel.name),
                source: wgpu::ShaderSource::Wgsl(text.as_str().into()),
            });
            // Explicit layouts: a binding that a variant happens not to use must not vanish.
            let entries: Vec<_> = kernel.bindings.iter().enumerate().map(|(i, b)| layout_entry(i, b.access)).collect();
            let layout = cx.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(kernel.name),
                entries: &entries,
            });
            let pipeline_layout = cx.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(kernel.name),
                bind_group_layouts: &[Some(&layout)],
                ..Default::default()
            });
            let pipeline = cx.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(kernel.name),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                cache: None,
            });
            (pipeline, layout)
        };
        if let Some(found) = self.made.get(&text) {
            return found.clone();
        }
        let new = make();
        self.made.insert(text.clone(), new.clone());
        self.unchecked.push(text);
        new
    }

    /// Keeps the pipelines made since the last call where the device has accepted them; else forgets them, so that nothing
    /// is built on one that is invalid.
    pub(crate) fn settle(&mut self, accepted: bool) {
        for text in self.unchecked.drain(..) {
            if !accepted {
                self.made.remove(&text);
            }
        }
    }

    /// Number of distinct pipelines.
    pub(crate) fn len(&self) -> usize {
        self.made.len()
    }
}

fn layout_entry(binding: usize, access: Access) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding: binding as u32,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty: wgpu::BufferBindingType::Storage { read_only: access == Access::Read },
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    }
}
