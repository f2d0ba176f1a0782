<?php

namespace OPNsense\YORI\Api;

use OPNsense\Base\ApiControllerBase;
use OPNsense\YORI\Control;

/** The last 24 hours at a glance, for the page and for the widget. */
class DashboardController extends ApiControllerBase
{
    /** A silence of this many seconds ends the stream of configd. */
    private const SILENCE = 60;

    public function getAction()
    {
        return Control::ask('overview');
    }

    public function summaryAction()
    {
        return Control::ask('summary');
    }

    /** Exchanges as they end, as server-sent events. */
    public function streamAction()
    {
        return $this->configdStream(
            'yori stream',
            [],
            ['Content-Type: text/event-stream', 'Cache-Control: no-cache'],
            self::SILENCE
        );
    }
}
