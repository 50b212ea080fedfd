import { type Tree, TreeFragment } from "@lezer/common";
import { expect, it } from "vitest";
import { language } from "./language";

const many = (text: string): string => Array.from({ length: 120 }, (_, n) => text.replaceAll("#", String(n))).join("");
const TEXT = `receivers:
${many("  otlp/#:\n    protocols:\n      grpc:\n        endpoint: host-#:4317\n        tls:\n          cert_file: /#.pem\n          key_file: /#.key\n      http:\n        endpoint: host-#:4318 # for browsers\n")}service:
  pipelines:
${many("    traces/#:\n      receivers: [otlp/#]\n      exporters:\n        - otlp_grpc/#\n        - spanmetrics\n")}`;

/** Reads a text; answers its tree, and in how many steps. */
function read(text: string, fragments: readonly TreeFragment[] = []): [Tree, number] {
  const parse = language.parser.startParse(text, fragments);
  for (let steps = 1; ; steps += 1) {
    const tree = parse.advance();
    if (tree) return [tree, steps];
  }
}

it.each([
  ["at the top", 0],
  ["in the middle", TEXT.indexOf("  otlp/60")],
  ["at the end", TEXT.length],
])("reads little again after a key %s", (_where, at) => {
  const [tree, whole] = read(TEXT);
  let fragments = TreeFragment.addTree(tree);
  let text = TEXT;
  const steps = [..."x: 1\n"].map((key, n) => {
    const from = at + n;
    fragments = TreeFragment.applyChanges(fragments, [{ fromA: from, toA: from, fromB: from, toB: from + 1 }]) as TreeFragment[];
    text = text.slice(0, from) + key + text.slice(from);
    const [next, some] = read(text, fragments);
    fragments = TreeFragment.addTree(next, fragments) as TreeFragment[];
    return some;
  });
  expect(Math.max(...steps)).toBeLessThan(whole / 15);
});
