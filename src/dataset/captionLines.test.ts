import { describe, expect, it } from "vitest";
import { byCaptionLine, captionLines } from "./captionLines";
import { longCaptions } from "./doctor/captions";
import { withoutStyle } from "./doctor/trigger";
import { hasTrigger, withTrigger } from "./trigger";

const question = {
  resolution: 512,
  trigger: "ink",
  preset: "style" as const,
  countTokens: (text: string) => text.split(/[\s,]+/).length,
};

describe("captions of several lines", () => {
  it("are their lines that say something", () => {
    expect(captionLines(" a \r\n\n b\rc ")).toEqual(["a", "b", "c"]);
    expect(byCaptionLine(" a \n\n b ", (line) => line.toUpperCase())).toBe("A\nB");
    expect(byCaptionLine(" ", (line) => `${line}!`)).toBe("!");
  });

  it("have the trigger word when every line has it", () => {
    expect(hasTrigger("Ink", "an ink cat\nink")).toBe(true);
    expect(hasTrigger("ink", "an ink cat\na dog")).toBe(false);
    expect(withTrigger("ink", "an ink cat\na dog")).toBe("an ink cat\nink, a dog");
    expect(withTrigger("", " as it\n is ")).toBe("as it\n is");
  });

  it("are treated line by line by the doctor", () => {
    expect(withoutStyle("a watercolor painting of a cat\na dog in an anime style")).toBe("a cat\na dog");
    const long = Array.from({ length: 50 }, (_, n) => `tag ${n}`).join(", ");
    const patient = {
      ...{ id: "p", name: "p.png", width: 64, height: 64, repeats: 1, look: undefined },
      caption: `short, line\n${long}\n${"another short line, ".repeat(4)}end`,
    };
    const finding = longCaptions({ ...question, patients: [patient] });
    const lines = finding?.fix?.treatments[0]?.caption?.split("\n") ?? [];
    expect(lines).toHaveLength(3);
    expect([lines[0], lines[2]]).toEqual([patient.caption.split("\n")[0], patient.caption.split("\n")[2]]);
    expect(lines[1]?.split(", ")).toHaveLength(37);
    expect(longCaptions({ ...question, patients: [{ ...patient, caption: "one two\n".repeat(60) }] })).toBe(
      undefined,
    );
  });
});
