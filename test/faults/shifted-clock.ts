/** Loaded before a process's own code (`--import`): shifts its wall clock by CLOCK_SHIFT_MS. It produces the fault. */
const shift = Number(process.env.CLOCK_SHIFT_MS ?? 0);
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...parts: ConstructorParameters<typeof RealDate>) {
    // `new Date()` has no parts, which its type does not know.
    if ((parts as unknown[]).length === 0) super(RealDate.now() + shift);
    else super(...parts);
  }

  static override now(): number {
    return RealDate.now() + shift;
  }
} as DateConstructor;
