var<workgroup> lanes: array<vec2f, 64>;
var<workgroup> pieces: array<vec2f, 8>;

// The sum of `value` over the 64 threads of the workgroup, in a fixed order; every thread gets it. Two barriers are
// enough for repeated calls: whoever overwrites `lanes` or `pieces` has passed a barrier after their last reading.
fn reduce64(t: u32, value: vec2f) -> vec2f {
  lanes[t] = value;
  workgroupBarrier();
  if (t < 8u) {
    var piece = vec2f();
    for (var i = 0u; i < 8u; i++) { piece += lanes[8u * t + i]; }
    pieces[t] = piece;
  }
  workgroupBarrier();
  var sum = vec2f();
  for (var i = 0u; i < 8u; i++) { sum += pieces[i]; }
  return sum;
}
