/** One measuring process: `node bench/child.mjs <row> <task as JSON>`. It sends its result to run.mjs and ends. */
const [, , row, task] = process.argv;
const { measure } = await import(`./rows/${row}.mjs`);
const result = await measure(JSON.parse(task));
if (process.send === undefined) console.log(result);
else process.send(result, () => process.exit());
