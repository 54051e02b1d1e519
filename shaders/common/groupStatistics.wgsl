// Values per group, spread over the four channels of quad `q` of an image; a quad may span several groups.
// `stats` [images, statStride] holds (mean, rstd) of each group.
struct GroupStatistics { mean: vec4f, rstd: vec4f }

fn group_statistics(image: u32, q: u32) -> GroupStatistics {
  let at = image * P.statStride + 2u * ((vec4u(4u * q) + vec4u(0u, 1u, 2u, 3u)) / P.groupWidth);
  return GroupStatistics(
    vec4f(stats_at(at.x), stats_at(at.y), stats_at(at.z), stats_at(at.w)),
    vec4f(stats_at(at.x + 1u), stats_at(at.y + 1u), stats_at(at.z + 1u), stats_at(at.w + 1u)),
  );
}
