import { Attempt, type Course } from './attempt.js';

/** A pipeline whose attempts others are made up of. */
interface InnerCourse extends Course {
  readonly isJunction: boolean;
}

/** One of the attempts that make up `whole`. */
export function partOf(course: InnerCourse, whole: Attempt, number: number): Attempt {
  const part = earlyOr(course, whole, number);
  part.rarely().around = whole;
  part.rarely().isPart = true;
  // A listener may have cut the whole while it was told of the part.
  if (whole.aborted) part.abort(whole.reason);
  return part;
}

/** An attempt of its own, begun by `first` for itself and others. */
export function separateFrom(course: InnerCourse, first: Attempt): Attempt {
  const attempt = earlyOr(course, first, 1);
  attempt.rarely().startedBy = first;
  return attempt;
}

/** The innermost attempt is the one that has begun before all of this, if there is one. */
function earlyOr(course: InnerCourse, { instance, args, origin, rare }: Attempt, number: number): Attempt {
  const early = course.isJunction ? undefined : rare?.early?.take();
  const attempt = early ?? new Attempt(course, instance, args, origin, number);
  attempt.course = course;
  if (rare?.early !== undefined) attempt.rarely().early = rare.early;
  return attempt;
}
