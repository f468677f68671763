import { Controller, Get, Module, NotFoundException, Param } from '@nestjs/common';
import { ResilienceModule } from 'nestjs-bulwark';
import { WEATHER_URL, WeatherClient, type Weather } from './weather.client.js';

@Controller('weather')
class WeatherController {
  constructor(private readonly client: WeatherClient) {}

  @Get(':city')
  async today(@Param('city') city: string): Promise<Weather> {
    const weather = await this.client.today(city);
    if (weather === undefined) throw new NotFoundException();
    return weather;
  }
}

@Module({
  imports: [
    ResilienceModule.forRoot({
      // resilientFetch asks which call it runs in.
      callContext: true,
      // Refusals are answered with 503 and Retry-After, and what took too long with 504.
      exceptionFilter: true,
    }),
  ],
  controllers: [WeatherController],
  providers: [WeatherClient, { provide: WEATHER_URL, useFactory: () => process.env['WEATHER_URL'] }],
})
export class AppModule {}
