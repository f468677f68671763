import { Controller, Get, Header } from '@nestjs/common';
import { STYLE } from './page.js';

@Controller('demo/style.css')
export class StyleController {
  @Get()
  @Header('content-type', 'text/css; charset=utf-8')
  style(): string {
    return STYLE;
  }
}
