/** A GPT on every backend takes the course that it takes on the reference: of its parts all are smooth. */
import { onEveryBackend } from '../../support/everyBackend.ts';
import { gpt, words } from '../../support/sentences.ts';
import { orThrow } from '../../support/training.ts';
import { departure, texts } from '../../support/trajectory.ts';

/** Of single precision: some 10⁻⁶ in a step, and what twenty steps make of it. */
const bounds = { step: 1e-5, course: 1e-4 };

const length = 6;
const task = texts(gpt(length, 2).model, length, words);

onEveryBackend((name, use) => {
  if (name === 'reference') return;
  it(`law: a step of K-FAC on a GPT is that of the reference, and so are twenty: ${name}`, () =>
    use(async (backend) => {
      const step = orThrow(await departure(backend, 1, task)());
      const course = orThrow(await departure(backend, 20, task)());
      expect(step.params).toBeLessThan(bounds.step);
      expect(course.params).toBeLessThan(bounds.course);
      expect(course.losses).toBeLessThan(bounds.course);
      expect(course.course[1]).toBeLessThan(0.999 * course.course[0]);
    }));
});
