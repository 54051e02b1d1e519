/** That the browser of these tests gives a worker a WebGPU adapter that computes: all other flows rest on it. */
import { expect, test } from "@playwright/test";

const probe = `
onmessage = async () => {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) return postMessage({ error: "no adapter" });
  const device = await adapter.requestDevice();
  const code = "@group(0) @binding(0) var<storage, read_write> x: array<f32>;" +
    "@compute @workgroup_size(4) fn main(@builtin(local_invocation_index) i: u32) { x[i] *= 2f; }";
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const data = device.createBuffer({ size: 16, usage: STORAGE | COPY_SRC | COPY_DST });
  const staging = device.createBuffer({ size: 16, usage: MAP_READ | COPY_DST });
  device.queue.writeBuffer(data, 0, new Float32Array([1, 2, 3, 4]));
  const layout = pipeline.getBindGroupLayout(0);
  const group = device.createBindGroup({ layout, entries: [{ binding: 0, resource: { buffer: data } }] });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(data, 0, staging, 0, 16);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const info = adapter.info.vendor + " " + adapter.info.architecture;
  postMessage({ info, result: [...new Float32Array(staging.getMappedRange())] });
};`;

test("a dedicated worker computes with WebGPU", async ({ page }, testInfo) => {
  // Served by the test, because the app's policy allows no worker from a blob.
  await page.route("**/probe.js", (route) => route.fulfill({ contentType: "text/javascript", body: probe }));
  await page.goto("/");
  const answer = await page.evaluate(
    () =>
      new Promise<{ info?: string; result?: number[]; error?: string }>((resolve) => {
        const worker = new Worker("/probe.js");
        worker.addEventListener("message", (event) => resolve(event.data));
        worker.addEventListener("error", (event) => resolve({ error: event.message || "did not load" }));
        worker.postMessage("go");
      }),
  );
  testInfo.annotations.push({ type: "adapter", description: answer.info ?? "none" });
  expect(answer.error).toBeUndefined();
  expect(answer.result).toEqual([2, 4, 6, 8]);
});
