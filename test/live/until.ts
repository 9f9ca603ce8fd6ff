/** Waits for what another process does: looks again and again until it is there, and says what was missing if it never is. */
const INTERVAL_MILLIS = 20;

export async function until(
  what: string,
  isThere: () => boolean | Promise<boolean>,
  millis = 20_000,
  details: () => string = () => "",
): Promise<void> {
  const deadline = Date.now() + millis;
  while (!(await isThere())) {
    if (Date.now() > deadline) throw new Error(`waited ${millis} ms in vain for ${what}\n${details()}`);
    await new Promise((resolve) => setTimeout(resolve, INTERVAL_MILLIS));
  }
}
