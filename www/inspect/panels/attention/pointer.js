/** Mouse, pen and fingers on a map: hover, tap, drag, pinch and wheel. */

/** A press that moves less than this is a tap. */
const TAP_PX = 5;
/** A wheel turned by this many pixels doubles the size. */
const WHEEL_DOUBLE = 320;
/** Lines and pages of a wheel, in pixels. */
const WHEEL_UNITS = [1, 16, 400];

export class MapPointer {
  /**
   * @param {HTMLElement} element
   * @param {{ onHover: (x: number | null, y: number) => void, onTap: (x: number, y: number) => void, onPan: (dx:
   *   number, dy: number) => void,
   *   onZoom: (factor: number, x: number, y: number) => void, canZoom: (factor: number) => boolean }} handlers
   *   positions count from the
   *   element's corner
   */
  constructor(element, handlers) {
    this.element = element;
    this.handlers = handlers;
    /** Fingers and buttons that are down. @type {Map<number, { x: number, y: number }>} */
    this.down = new Map();
    this.moved = 0;
    element.addEventListener("pointerdown", (event) => this.press(event));
    element.addEventListener("pointermove", (event) => this.move(event));
    element.addEventListener("pointerup", (event) => this.release(event, true));
    element.addEventListener("pointercancel", (event) => this.release(event, false));
    element.addEventListener("pointerleave", () => handlers.onHover(null, 0));
    element.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  /** @param {MouseEvent} event */
  point(event) {
    const box = this.element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  /** @param {PointerEvent} event */
  press(event) {
    if (event.button > 0) return;
    if (!this.down.size) this.moved = 0;
    this.down.set(event.pointerId, this.point(event));
    this.element.setPointerCapture(event.pointerId);
  }

  /** @param {PointerEvent} event */
  move(event) {
    const point = this.point(event);
    const before = this.down.get(event.pointerId);
    if (!before) {
      this.handlers.onHover(point.x, point.y);
      return;
    }
    const other = [...this.down].find(([id]) => id !== event.pointerId)?.[1];
    this.down.set(event.pointerId, point);
    this.moved += Math.hypot(point.x - before.x, point.y - before.y);
    if (other) {
      const [was, is] = [before, point].map(({ x, y }) => Math.max(1, Math.hypot(x - other.x, y - other.y)));
      this.handlers.onZoom(is / was, (point.x + other.x) / 2, (point.y + other.y) / 2);
      // Two fingers move the map by the way of their middle.
      this.handlers.onPan((point.x - before.x) / 2, (point.y - before.y) / 2);
    } else if (this.moved > TAP_PX) this.handlers.onPan(point.x - before.x, point.y - before.y);
  }

  /** @param {PointerEvent} event @param {boolean} ended */
  release(event, ended) {
    const at = this.down.get(event.pointerId);
    this.down.delete(event.pointerId);
    if (at && ended && !this.down.size && this.moved <= TAP_PX) this.handlers.onTap(at.x, at.y);
  }

  /**
   * The wheel zooms where the map has the focus or Ctrl is held (as a pinch on a touchpad says it is); else it scrolls
   * the page.
   * @param {WheelEvent} event
   */
  wheel(event) {
    if (!event.ctrlKey && document.activeElement !== this.element) return;
    const delta = event.deltaY * (WHEEL_UNITS[event.deltaMode] ?? 1) * (event.ctrlKey ? 3 : 1);
    const factor = 2 ** (-delta / WHEEL_DOUBLE);
    // At either end it goes on to whatever scrolls; with Ctrl the browser would enlarge the whole page.
    if (!event.ctrlKey && !this.handlers.canZoom(factor)) return;
    event.preventDefault();
    const { x, y } = this.point(event);
    this.handlers.onZoom(factor, x, y);
  }
}
