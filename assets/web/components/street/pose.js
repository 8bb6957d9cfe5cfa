// Poses of a camera: where it stands, and its heading, where the middle of the picture looks, in degrees clockwise from
// north.

/** @import { Pose } from "../../protocol" */

export const TURN_DEG = 45;
const COMPASS = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];

/**
 * A pose as it stands in an address.
 *
 * @param {Pose} pose
 */
export function written({ lat, lng, heading }) {
  return `${lat.toFixed(6)},${lng.toFixed(6)},${heading.toFixed(0)}`;
}

/**
 * The pose after a turn to the right, by at most a whole one; negative to the left.
 *
 * @param {Pose} pose
 * @param {number} degrees
 * @returns {Pose}
 */
export function turned(pose, degrees) {
  return { ...pose, heading: (pose.heading + degrees + 360) % 360 };
}

/**
 * The point of the compass that is nearest to a heading.
 *
 * @param {number} heading At least 0.
 */
export function facing(heading) {
  return COMPASS[Math.round(heading / TURN_DEG) % COMPASS.length];
}
