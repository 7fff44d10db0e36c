// Still: draws anew only when one of the values that it depends on is another. An element that is kept and given again would do so too, but holds on
// to what stood around it: a page that is left open grew by each refresh.
import { Component, type VNode } from "preact";

interface Props {
  of: readonly unknown[];
  draw: () => VNode | null;
}

export class Still extends Component<Props> {
  override shouldComponentUpdate(next: Props): boolean {
    return next.of.some((value, i) => value !== this.props.of[i]);
  }

  override render({ draw }: Props): VNode | null {
    return draw();
  }
}
