/** The options that the dashboard goes by, checked. */
export const DASHBOARD_OPTIONS = Symbol('the options of the dashboard');
/** Where the page is, below what the app puts before its routes. */
export const DASHBOARD_PATH = Symbol('the path of the dashboard');
/** The folder of the page. */
export const DASHBOARD_PAGE = Symbol('the page of the dashboard');
