import { NestFactory } from '@nestjs/core';
import { drainOnSignals } from 'nestjs-bulwark';
import { AppModule } from './app.module.js';
import { helpFor } from './help.js';
import { SETTINGS, type Settings } from './settings/settings.js';

const app = await NestFactory.create(AppModule);
drainOnSignals(app);
const { host, port } = app.get<Settings>(SETTINGS);
await app.listen(port, host);
process.stdout.write(helpFor(await app.getUrl()));
