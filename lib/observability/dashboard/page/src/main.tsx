import 'uplot/dist/uPlot.min.css';
import './page.css';
import { render } from 'preact';
import { addressAt } from './client/base.js';
import { followDetail } from './state/detail.js';
import { followKeys } from './state/keys.js';
import { startLive } from './state/live.js';
import { followAddress } from './state/place.js';
import { followTheme } from './state/theme.js';
import { App } from './view/app.js';

// The app sets a base, so that the files are found whether the address ends in a slash or not. With a base, a link such as
// `#/` would leave the page; the icon is looked up anew when the base goes.
const icon = document.querySelector<HTMLLinkElement>('link[rel=icon]');
if (icon !== null) icon.href = addressAt('icon.svg');
document.querySelector('base')?.remove();

followTheme();
followAddress();
followKeys();
followDetail();
startLive();

const place = document.getElementById('app');
if (place !== null) render(<App />, place);
