// The share of one thread in [images, rows, 4·width]: quad q of the rows begin … end − 1 of one image, which is cut
// into `chunks` pieces of `chunkRows` rows.
struct RowChunk { block: u32, image: u32, q: u32, begin: u32, end: u32 }

fn row_chunk(index: u32) -> RowChunk {
  let block = index / P.width;
  let image = block / P.chunks;
  let begin = (block - image * P.chunks) * P.chunkRows;
  return RowChunk(block, image, index - block * P.width, begin, min(begin + P.chunkRows, P.rows));
}

fn row_at(c: RowChunk, row: u32) -> u32 { return (c.image * P.rows + row) * P.width + c.q; }
