import { HttpException, HttpStatus } from '@nestjs/common';

/** The customer's bank said no: an answer, not a failure, so no breaker counts it and nothing repeats it. */
export class PaymentDeclinedException extends HttpException {
  constructor() {
    super(
      { statusCode: HttpStatus.PAYMENT_REQUIRED, message: 'The payment was declined', error: 'Payment Required' },
      HttpStatus.PAYMENT_REQUIRED,
    );
  }
}
