// How long the rest of some work takes, from how long the part that is done has taken.

const LEAST_SHARE = 0.04; // done since it began, before anything is said

export class TimeLeft {
  /**
   * @param {number} now When it began, or was first seen, in milliseconds.
   * @param {number} share How much of it was done then, 0 to 1.
   */
  constructor(now, share) {
    this.begun = now;
    this.first = share;
    /** @type {number | null} the share of the last estimate */
    this.last = null;
    this.end = now; // by that estimate
  }

  /**
   * ", about 20 s left", or nothing yet. Estimated whenever there is progress, and counted down in between.
   *
   * @param {number} now
   * @param {number} share
   */
  at(now, share) {
    const done = share - this.first;
    if (done < LEAST_SHARE) return "";
    if (share !== this.last) {
      this.last = share;
      this.end = now + ((now - this.begun) / done) * (1 - share);
    }
    const seconds = Math.max(1, (this.end - now) / 1000);
    return `, about ${seconds > 10 ? 5 * Math.round(seconds / 5) : Math.round(seconds)} s left`;
  }
}
