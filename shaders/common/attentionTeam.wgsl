// How the TEAM lanes of a query add their partial dot products: by shuffles where there are subgroups, else through
// workgroup memory. Every lane gets the same bits. Use: offer() each value under its own slot, meet(), team_sum() each,
// leave().
#if HAS_KV
fn kv_row(i: u32) -> vec4f { return kv_quad(i); }
#else
fn kv_row(i: u32) -> vec4f { return q_quad(i); }
#endif

#if SHUFFLE
fn offer(t: u32, slot: u32, v: vec4f) { }
fn meet() { }
fn leave() { }
fn team_sum(t: u32, slot: u32, v: vec4f) -> vec4f {
  var sum = v;
  if (TEAM > 1u) { sum += subgroupShuffleXor(sum, 1u); }
  if (TEAM > 2u) { sum += subgroupShuffleXor(sum, 2u); }
  return sum;
}
#else
var<workgroup> exchange: array<vec4f, SLOTS * 64u>;
fn offer(t: u32, slot: u32, v: vec4f) { exchange[slot * 64u + t] = v; }
fn meet() { workgroupBarrier(); }
fn leave() { workgroupBarrier(); }
fn team_sum(t: u32, slot: u32, v: vec4f) -> vec4f {
  let first = slot * 64u + t / TEAM * TEAM;
  var sum = exchange[first];
  for (var r = 1u; r < TEAM; r++) { sum += exchange[first + r]; }
  return sum;
}
#endif
