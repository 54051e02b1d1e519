import { expect, it } from "vitest";
import { unroll } from "./unroll";

it("repeats lines with the number in place of the variable, suffixes included", () => {
  expect(unroll("#for i 2\n  let q$i = x[$iu];\n#end\nrest")).toBe(
    "  let q0 = x[0u];\n  let q1 = x[1u];\nrest",
  );
});

it("nests, and takes counts by name", () => {
  expect(unroll("#for i N\n#for j 2\na$i_$j\n#end\n#end", { N: 2 })).toBe("a0_0\na0_1\na1_0\na1_1");
});

it("refuses what would silently drop code", () => {
  expect(() => unroll("#for i MISSING\n#end")).toThrow('internal: unroll: unknown count "MISSING"');
  expect(() => unroll("#for i 2\nx")).toThrow("without #end");
  expect(() => unroll("#end")).toThrow("without #for");
});
