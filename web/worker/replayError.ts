/** A file that cannot be shown at all; the message says why. */
export class ReplayError extends Error {}
