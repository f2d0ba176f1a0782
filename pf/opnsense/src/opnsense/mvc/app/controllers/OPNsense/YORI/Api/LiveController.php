<?php

namespace OPNsense\YORI\Api;

use OPNsense\Base\ApiControllerBase;
use OPNsense\YORI\Control;

/** Exchanges: those that end now, those of before, and one of them as a conversation. */
class LiveController extends ApiControllerBase
{
    private const SILENCE = 60;

    /** before: the `next` of a page; outcome; device. */
    public function searchAction()
    {
        $words = array_map(fn ($name) => (string)$this->request->get($name), ['before', 'outcome', 'device']);
        return $this->searchRecordsetBase(Control::rows('exchanges', 'exchanges', $words));
    }

    public function getAction($id = '')
    {
        return Control::ask('exchange', [$id]);
    }

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
