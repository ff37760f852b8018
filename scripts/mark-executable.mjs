// What `bin` names can be run: npx sets that once, when it makes its link, and a build writes the file anew.
import { chmodSync, readFileSync } from 'node:fs';

const { bin } = JSON.parse(readFileSync('package.json', 'utf8'));
for (const program of Object.values(bin)) chmodSync(program, 0o755);
