// What the page uses of Observable Plot: build.sh bundles it with nothing else.
export {
  barX, dot, plot, pointer, pointerX, pointerY, rectY, ruleX, ruleY, text, tip,
} from "@observablehq/plot";
