import { afterAll, describe, expect, it } from "vitest";
import { requestNodeDevice } from "./device";
import { findDriver, type SoftwareDriver } from "./vulkan";

const drivers = (["lavapipe", "swiftshader"] satisfies SoftwareDriver[]).filter((name) => findDriver(name));

describe.each(drivers)("a device on %s", (adapter) => {
  const opened = requestNodeDevice({ adapter });
  afterAll(async () => (await opened).release());

  it("is the adapter that was asked for", async () => {
    const { adapterName, isSoftware } = await opened;
    expect(adapterName.toLowerCase()).toContain(adapter === "lavapipe" ? "llvmpipe" : "swiftshader");
    expect(isSoftware).toBe(true);
  });

  it("has the adapter's memory limits, but no more bindings than every browser gives", async () => {
    const { limits } = (await opened).device;
    expect(limits.maxBufferSize).toBeGreaterThanOrEqual(2 ** 30);
    expect(limits.maxComputeWorkgroupStorageSize).toBe(32_768);
    expect(limits.maxStorageBuffersPerShaderStage).toBeLessThanOrEqual(10);
  });

  it("computes", async () => {
    const { device } = await opened;
    const module = device.createShaderModule({ code: doubling });
    const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const data = device.createBuffer({ size: 16, usage });
    const staging = device.createBuffer({
      size: 16,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(data, 0, new Float32Array([1, 2, 3, 4]));
    const layout = pipeline.getBindGroupLayout(0);
    const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: data } }] });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(data, staging);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    expect([...new Float32Array(staging.getMappedRange())]).toEqual([2, 4, 6, 8]);
  });
});

it("opens without the features that are left out", async () => {
  const { device, release } = await requestNodeDevice({ without: ["shader-f16", "subgroups"] });
  expect(device.features.has("shader-f16")).toBe(false);
  expect(device.features.has("subgroups")).toBe(false);
  release();
});

it("says which adapter names exist", async () => {
  process.env["WEFT_ADAPTER"] = "voodoo";
  await expect(requestNodeDevice()).rejects.toThrow('WEFT_ADAPTER is "voodoo"');
  delete process.env["WEFT_ADAPTER"];
});

const doubling = `
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { x[id.x] *= 2f; }`;
