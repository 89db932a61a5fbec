// Panel: rate and quality of this picture, with the dots of what is on show.
import { Panel } from "./panel.js";

export class CurvePanel extends Panel {
  constructor(laboratory, kind) {
    super(laboratory, kind);
    this.curve = laboratory.controls.curve;
    this.body.append(this.curve.element);
    this.extras.append(this.curve.group);
    this.caption.append(this.curve.readout);
  }

  describe() {
    this.curve.size(this.width, Math.max(90, this.height - 22)); // below it are names
    this.curve.describe(this.viewer.panes, this.viewer.dragging);
  }
}
