/** The service cannot start; its message is the one line to print. */
export class StartError extends Error {
  constructor(variable: string, problem: string) {
    // A driver's message may have several lines, and an operator greps for one.
    super(`${variable}: ${problem.replaceAll(/\s*\n\s*/g, ' ')}`);
    this.name = 'StartError';
  }
}
