// Second half of imageSums: adds the chunks of an image at columns 4·offset … of a vector, in chunk order. One thread per
// quad of the result.
//
// partial [images, chunks, 4·width]   soFar, y [images, 4·total]; y is overwritten

@compute @workgroup_size(WG_X, WG_Y, WG_Z)
fn main(@builtin(local_invocation_id) lid: vec3u, @builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) num: vec3u) {
  let index = (wid.y * num.x + wid.x) * WG_X + lid.x;
  if (index >= P.count) { return; }
  let image = index / P.total;
  let column = index - image * P.total;
  var sum = soFar_quad(index);
  if (column >= P.offset && column < P.offset + P.width) {
    for (var chunk = 0u; chunk < P.chunks; chunk++) {
      sum += partial_quad((image * P.chunks + chunk) * P.width + column - P.offset);
    }
  }
  y_put(index, sum);
}
