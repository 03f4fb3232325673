// Prints every operation of the page of sales as JSON, by its name.
import * as reports from '../../../web/dashboard/operations.js';
import * as session from '../../../web/dashboard/session.js';

const isOperation = (value) => typeof value === 'string' && /^(query|mutation|subscription) \w+/.test(value);
const operations = [...Object.values(reports), ...Object.values(session)].filter(isOperation);
console.log(JSON.stringify(Object.fromEntries(operations.map((text) => [/^\w+ (\w+)/.exec(text)[1], text]))));
