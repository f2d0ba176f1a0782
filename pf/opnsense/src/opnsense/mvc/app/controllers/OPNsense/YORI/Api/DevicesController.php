<?php

namespace OPNsense\YORI\Api;

use OPNsense\Base\ApiControllerBase;
use OPNsense\YORI\Control;

/** Devices and people as the running YORI knows them, and what is done about them now. */
class DevicesController extends ApiControllerBase
{
    public function searchAction()
    {
        return $this->searchRecordsetBase(Control::rows('devices', 'devices'));
    }

    public function peopleAction()
    {
        return Control::ask('people');
    }

    /** target: a name, an address or a MAC address; minutes. */
    public function pauseAction()
    {
        return $this->act('pause');
    }

    public function allowAction()
    {
        return $this->act('allow');
    }

    public function endAction()
    {
        return $this->told('end', [(string)$this->request->getPost('target')]);
    }

    /** name; empty takes it away. */
    public function nameAction($id = '')
    {
        return $this->told('name', [$id, (string)$this->request->getPost('name')]);
    }

    public function groupAction($id = '')
    {
        return $this->told('group', [$id, (string)$this->request->getPost('group')]);
    }

    public function personAction($id = '')
    {
        return $this->told('person', [$id, (string)$this->request->getPost('person')]);
    }

    private function act($action)
    {
        $minutes = (string)$this->request->getPost('minutes');
        $words = [(string)$this->request->getPost('target'), ctype_digit($minutes) ? $minutes : '10'];
        return $this->told($action, $words);
    }

    private function told($action, array $words)
    {
        return $this->request->isPost() ? Control::ask($action, $words) : ['result' => 'failed'];
    }
}
