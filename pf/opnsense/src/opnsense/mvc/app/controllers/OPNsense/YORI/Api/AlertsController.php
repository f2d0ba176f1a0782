<?php

namespace OPNsense\YORI\Api;

use OPNsense\Base\ApiControllerBase;
use OPNsense\YORI\Control;

/** The inbox of alerts. */
class AlertsController extends ApiControllerBase
{
    /** all=1: also what is acknowledged or asleep. */
    public function searchAction()
    {
        return $this->searchRecordsetBase(Control::rows('alerts', 'alerts', $this->asked()));
    }

    public function getAction()
    {
        return Control::ask('alerts', $this->asked());
    }

    public function ackAction($id = '')
    {
        return $this->told('ack', [$id]);
    }

    /** seconds; a day unless given. */
    public function snoozeAction($id = '')
    {
        $seconds = (string)$this->request->getPost('seconds');
        return $this->told('snooze', [$id, ctype_digit($seconds) ? $seconds : '86400']);
    }

    /** Sends a message that says that it is a test. */
    public function testAction()
    {
        return $this->told('testsink', [(string)$this->request->getPost('sink')]);
    }

    private function asked()
    {
        return [(string)$this->request->get('all') === '1' ? 'all' : ''];
    }

    private function told($action, array $words)
    {
        return $this->request->isPost() ? Control::ask($action, $words) : ['result' => 'failed'];
    }
}
