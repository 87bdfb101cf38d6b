// The part of the trace's time that is on the screen. Pure.

/** [from, to], ns after the trace's start. */
export interface Window {
  from: bigint;
  to: bigint;
}

const SMALLEST = 20n;

/** Scales around a point of the window (0 left, 1 right); undefined when everything is shown. */
export function zoomBy(window: Window, length: bigint, factor: number, at = 0.5): Window | undefined {
  const old = window.to - window.from;
  let size = BigInt(Math.round(Number(old) * factor));
  if (size < SMALLEST) size = SMALLEST;
  if (size >= length) return undefined;
  const centre = window.from + BigInt(Math.round(Number(old) * at));
  return shift({ from: centre - BigInt(Math.round(Number(size) * at)), to: 0n }, size, length);
}

/** Moves by a share of the window's own length. */
export function panBy(window: Window, length: bigint, share: number): Window {
  const size = window.to - window.from;
  return shift({ from: window.from + BigInt(Math.round(Number(size) * share)), to: 0n }, size, length);
}

/** A window on [from, to] with some air around it. */
export function fit(from: bigint, to: bigint, length: bigint): Window | undefined {
  const air = (to - from) / 12n + 1n;
  const size = to - from + 2n * air;
  if (size >= length) return undefined;
  return shift({ from: from - air, to: 0n }, size < SMALLEST ? SMALLEST : size, length);
}

function shift({ from }: Window, size: bigint, length: bigint): Window {
  if (from < 0n) from = 0n;
  if (from + size > length) from = length > size ? length - size : 0n;
  return { from, to: from + size };
}
