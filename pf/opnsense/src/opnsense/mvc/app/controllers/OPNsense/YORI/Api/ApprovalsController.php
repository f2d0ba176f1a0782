<?php

namespace OPNsense\YORI\Api;

use OPNsense\Base\ApiControllerBase;
use OPNsense\YORI\Control;

/** What waits for somebody, and what lets devices past now. */
class ApprovalsController extends ApiControllerBase
{
    public function getAction()
    {
        return Control::ask('approvals');
    }

    /** What was refused in the last day. */
    public function searchAction()
    {
        $rows = array_map(fn ($row) => [
            'code' => $row['code'] ?? '',
            'answer' => $row['answer'] ?? '',
            'time' => $row['exchange']['timestamp'] ?? '',
            'device' => $row['exchange']['device_hostname'] ?? $row['exchange']['device_ip'] ?? '',
            'host' => $row['exchange']['endpoint_domain'] ?? '',
            'policy' => $row['exchange']['policy_name'] ?? '',
            'reason' => $row['exchange']['policy_message'] ?? $row['exchange']['reason'] ?? '',
        ], Control::rows('approvals', 'blocked'));
        return $this->searchRecordsetBase($rows);
    }

    /** for: once (unless given), always, or a span such as 30m. */
    public function approveAction($code = '')
    {
        $span = (string)$this->request->getPost('for');
        return $this->told('approve', [$code, $span !== '' ? $span : 'once']);
    }

    public function denyAction($code = '')
    {
        return $this->told('deny', [$code]);
    }

    public function revokeAction($id = '')
    {
        return $this->told('revoke', [$id]);
    }

    private function told($action, array $words)
    {
        return $this->request->isPost() ? Control::ask($action, $words) : ['result' => 'failed'];
    }
}
