import type { InstanceDetail } from '../../../protocol.js';
import { visible } from '../model/format.js';
import { Name } from './name.js';

/** What each guarded method goes through, with where each option came from. */
export function PlanCard({ plans }: { readonly plans: InstanceDetail['plans'] }) {
  return (
    <section class="card" aria-labelledby="plan-title">
      <h2 id="plan-title">Plan</h2>
      {plans.length === 0 && <p class="quiet">No guarded method goes by this name now.</p>}
      {plans.map(({ guard, steps }, index) => (
        <details key={guard} class="plan" open={index === 0}>
          <summary>
            <Name text={guard} />
            <span class="quiet steps">{steps.map(({ policy }) => policy).join(' › ')}</span>
          </summary>
          <div class="scroll table-scroll" tabIndex={0} role="region" aria-label={`Plan of ${visible(guard)}`}>
            <table class="plan-table">
              <thead>
                <tr>
                  <th scope="col">Policy, outermost first</th>
                  <th scope="col">Option</th>
                  <th scope="col">Value</th>
                  <th scope="col">From</th>
                </tr>
              </thead>
              {steps.map(({ policy, name, options }) => (
                <tbody key={`${policy} ${name}`}>
                  {(options.length > 0 ? options : [{ option: '', value: '', source: '' }]).map((one, line) => (
                    <tr key={one.option}>
                      {line === 0 && (
                        <th scope="rowgroup" rowSpan={Math.max(1, options.length)}>
                          {policy}
                          <Name text={name} class="quiet" />
                        </th>
                      )}
                      <td>{one.option}</td>
                      <td class="code wrap">{visible(one.value)}</td>
                      <td class="quiet wrap">{visible(one.source)}</td>
                    </tr>
                  ))}
                </tbody>
              ))}
            </table>
          </div>
        </details>
      ))}
    </section>
  );
}
